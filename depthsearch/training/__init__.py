"""Training: from (problem, jobs) to traces. The one room that imports torch."""
