"""How each kind of effect is carried out: one module a subject, one table of all."""
