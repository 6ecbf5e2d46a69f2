"""Incidents: recorded, corrected, and made good to those whom they hit."""
