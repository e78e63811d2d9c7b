"""What the command-line and end-to-end tests share: scratch repositories, commands, processes."""
