"""What a cycle costs, measured."""
