"""How the laptop-scale adapter was made: synthetic repairs, a small Llama, low-rank deltas."""
