"""The documented failures, rehearsed one by one in front of a person: ``python -m tests.drill`` (``make drill``).

What is rehearsed are the tests of ``tests/e2e``: the real ``hydra`` on folders of its own, with one thing broken each time.
"""
