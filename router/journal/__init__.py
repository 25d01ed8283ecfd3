"""SHELLS: the record of one centre, behind one interface."""
