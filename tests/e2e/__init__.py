"""The real ``hydra`` as a process on folders of its own: whatever is broken around it, nothing is entered and it says why."""
