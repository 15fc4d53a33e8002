"""The same work in plain PyTorch, written the way the published code is, or run faster by what PyTorch has.

It runs in a process of its own (`python -m benchmarks.published`) and imports nothing but PyTorch and
NumPy.
"""
