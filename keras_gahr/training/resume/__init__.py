"""What a training needs to go on after it was stopped or killed."""
