"""Networks trained by torch, on CPU or CUDA."""
