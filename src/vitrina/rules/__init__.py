"""Rule packs: what each marketplace asks of a picture, dated and sourced, and one file held against them."""
