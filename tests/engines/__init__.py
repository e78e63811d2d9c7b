"""The engines: real weights, a real child process, scripted completions."""
