"""The same work in plain PyTorch, eager and in float32, written the way the published code is.

It runs in a process of its own (`python -m benchmarks.published`) and imports nothing but PyTorch and
NumPy.
"""
