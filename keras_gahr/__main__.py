"""`python -m keras_gahr`."""

from keras_gahr.commands.front import main

main()
