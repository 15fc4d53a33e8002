"""What users can choose, each option declared once; nothing but the standard library is imported."""
