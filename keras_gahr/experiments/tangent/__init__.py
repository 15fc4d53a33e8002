"""Families with few parameters, each in a file: disks (figure 5), ray (figure 19), sines (figure 20)."""
