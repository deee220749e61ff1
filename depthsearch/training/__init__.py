"""Training: from (problem, jobs) to traces. The engines import torch or compiled kernels."""
