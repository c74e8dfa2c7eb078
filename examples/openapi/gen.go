package main

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -package main -generate models,std-http -o api.gen.go openapi.yaml
