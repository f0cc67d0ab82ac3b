"""Defects that are planted one by one into a healthy Hydra on real files, each with the check that has to find it.

``table.DEFECTS`` is the table, ``exercise.exercise`` plays one row of it, ``python -m tests.drill.defects`` plays all and writes what was
seen into ``docs/reference/planted-defects.md``. ``make drill`` plays all of them too, the gate a slice.
"""
