"""The steps, oldest first. A step that was published is never changed; it repeats its tables instead of importing them."""
