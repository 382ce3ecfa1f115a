"""What the recipes beside this file are made with."""
