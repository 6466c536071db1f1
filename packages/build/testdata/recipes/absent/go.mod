module example.org/recipe

go 1.26.0

require example.org/absent v1.0.0
