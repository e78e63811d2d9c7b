"""The domain: frozen values and pure rules, no files, no clocks, no processes."""
