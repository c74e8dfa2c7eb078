// Package kubernetes has manifests for the API of examples/fleet, and a test that decodes
// and compares them. It is a module of its own for the types of Kubernetes, which no
// program here needs. To use the manifests, copy the .yaml files.
package kubernetes
