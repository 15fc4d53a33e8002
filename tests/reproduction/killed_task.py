"""Trains a task of a sweep and is killed in its second epoch; run by a test.

python killed_task.py TASK.json
"""

import os
import signal
import sys

from keras_gahr.reproduction import train_task
from keras_gahr.training.watch.history import History

if __name__ == "__main__":
    taken = History.on_train_batch_end

    def kill(self, batch, logs=None):
        taken(self, batch, logs)
        if len(self.rows) == 1 and batch == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    History.on_train_batch_end = kill
    sys.exit(train_task.main(sys.argv[1:]))
