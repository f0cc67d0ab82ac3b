"""What a process that runs foreign code gives up: files, network, processes, memory, and what the kernel has beside these.

``offer`` asks what this kernel offers, ``enter`` puts it in force for good, ``attempts`` tries what must be refused. Below them
``landlock`` closes the files, ``seccomp`` the kernel's calls (``calls`` is its table), ``limits`` what is left; ``kernel`` is the door
to libc. Nothing here starts processes or knows what a bot is.
"""
