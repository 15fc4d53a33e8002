"""`python -m keras_gahr`."""

from keras_gahr.commands.app import main

main()
