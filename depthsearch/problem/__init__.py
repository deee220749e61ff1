"""What is asked: network, data, recipe, criterion; and the study files that declare it."""
