"""Ways in beside the portal: mail, declarations of guests, incidents."""
