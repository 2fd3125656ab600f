"""From a source to a proposed map: names compared, cells weighed, and nothing that could be otherwise left unasked."""
