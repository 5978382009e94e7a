"""What developing the provider needs and its users do not."""
