"""What has changed against a person's own baseline."""
