package grpcauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Methods maps full names of methods, and patterns, to the Guards that admit their calls:
//
//	/orders.v1.Orders/Cancel   this method
//	/orders.v1.Orders/*        the other methods of this service
//	*                          the methods of all other services
//
// Only the most specific entry counts. A method without an entry is refused. "*" does
// not match the services of package grpc, such as health, reflection and channelz: they
// need entries of their own. Neither pattern matches methods that the server does not
// have and that its [grpc.UnknownServiceHandler] would handle, nor those of a service that
// was registered with a nil implementation.
//
// A Guard is one of a Verifier, such as v.Protect(rules...) or v.Optional(), [Open], or
// any other. Do not change the map after its first use.
type Methods map[string]verifier.Guard

// Open is a Guard that admits every call, without a token and without looking at one.
// [verifier.Verifier.Optional] reads a token if there is one.
func Open(r *http.Request) (context.Context, error) { return r.Context(), nil }

// Options returns the options for [grpc.NewServer] that put m in front of every unary and
// every streaming method. Interceptors run in the order of the options: those that
// must see refusals, such as logs and metrics, go before, with
// [grpc.ChainUnaryInterceptor] and [grpc.ChainStreamInterceptor]. Options panics on a nil
// Guard and on a key that is neither a method's full name nor a pattern.
func (m Methods) Options() []grpc.ServerOption {
	for name, g := range m {
		if !isPattern(name) {
			panic(fmt.Sprintf("grpcauth: %q is neither /package.Service/Method, /package.Service/* nor *", name))
		}
		if g == nil {
			panic(fmt.Sprintf("grpcauth: nil Guard for %q", name))
		}
	}
	own := interceptor{maps.Clone(m)}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(own.unary), grpc.ChainStreamInterceptor(own.stream)}
}

// Check compares m with the methods of a server. It returns an error that names each
// method without an entry, and each entry without a method. Call it after the services
// were registered and before Serve. Without Check, a method without an entry shows only
// when it is called: it is refused with [codes.Internal], and that is logged at ERROR.
func (m Methods) Check(server interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}) error {
	unused := maps.Clone(m)
	delete(unused, "*")
	var found []string
	for service, info := range server.GetServiceInfo() {
		delete(unused, "/"+service+"/*")
		for _, method := range info.Methods {
			name := "/" + service + "/" + method.Name
			delete(unused, name)
			if m.guard(name, true) == nil {
				found = append(found, "grpcauth: no Guard for "+name)
			}
		}
	}
	for name := range unused {
		found = append(found, "grpcauth: the server has no method "+name)
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return errors.New(strings.Join(found, "\n"))
}

// guard returns the Guard of a method, nil if there is none. registered is whether the
// server has the method.
func (m Methods) guard(method string, registered bool) verifier.Guard {
	if !registered && strings.HasSuffix(method, "*") { // which is a pattern here, but a name on the wire
		return nil
	}
	g := m[method]
	if g != nil || !registered {
		return g
	}
	service := method[:strings.LastIndexByte(method, '/')+1]
	if g = m[service+"*"]; g == nil && !strings.HasPrefix(service, "/grpc.") {
		g = m["*"]
	}
	return g
}

// isPattern reports whether name is a key of Methods.
func isPattern(name string) bool {
	i := strings.LastIndexByte(name, '/')
	if i < 2 || name[0] != '/' {
		return name == "*"
	}
	method := name[i+1:]
	return method == "*" || method != "" && !strings.Contains(name, "*")
}
