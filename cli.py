"""`python cli.py ...` from a checkout: the same as `gahr ...`."""

from keras_gahr.commands.front import main

if __name__ == "__main__":
    main()
