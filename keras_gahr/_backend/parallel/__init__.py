"""Training on several devices that share each batch; one module per backend, the same names in each.

A *replica* is a copy of the network with its share of a batch. On JAX the arrays of a step are global,
so that there is one replica whatever the devices; on TensorFlow there is one for each device of the
process; on PyTorch there is one process, with one device, for each.
"""

import importlib

import keras

_module = importlib.import_module(f"{__name__}.{keras.backend.backend()}")

any_process = _module.any_process
broadcast = _module.broadcast
data_parallel = _module.data_parallel
device_names = _module.device_names
join_hosts = _module.join_hosts
mean_over_replicas = _module.mean_over_replicas
one_process_each = _module.one_process_each
process = _module.process
replica = _module.replica
replica_loss = _module.replica_loss
share_gradients = _module.share_gradients
