"""The images of a training, batch by batch."""
