"""Tables made of estimates."""
