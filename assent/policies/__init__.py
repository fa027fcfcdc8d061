"""What a policy decides, told, compared and opened: pure, over the same decisions that the services make."""
