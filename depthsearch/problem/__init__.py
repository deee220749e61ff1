"""The problem (network, data, recipe, criterion) and the study files that declare problems."""
