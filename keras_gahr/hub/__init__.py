"""Files on the Hugging Face Hub, read and written by its own library; of networks nothing is known here."""
