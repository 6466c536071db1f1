module example.org/recipe

go 1.26.0

require example.org/greeting v1.2.0

replace example.org/greeting => ./greeting
