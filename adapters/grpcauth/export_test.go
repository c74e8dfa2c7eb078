package grpcauth

import "google.golang.org/grpc"

// Unary returns the interceptor for unary methods, for the benchmark.
func (m Methods) Unary() grpc.UnaryServerInterceptor { return interceptor{m}.unary }
