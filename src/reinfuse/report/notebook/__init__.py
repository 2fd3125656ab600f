"""Tables, figures and sentences one by one, as a notebook shows and saves them."""
