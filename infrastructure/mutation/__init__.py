"""`make mutate`: would the tests notice a wrong sign? Never part of the layer."""
