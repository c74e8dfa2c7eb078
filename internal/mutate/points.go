package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// Sides are the ways in which a constant is worth moving.
type sides struct{ up, down bool }

// visit makes the mutants of n itself and reports whether to look inside.
func (in *instrumenter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR
	case *ast.ArrayType, *ast.StructType, *ast.InterfaceType, *ast.FuncType:
		return false
	case *ast.FuncDecl:
		in.keepLast(n.Body)
	case *ast.FuncLit:
		in.keepLast(n.Body)
	case *ast.BlockStmt:
		in.statements(n.List)
	case *ast.CaseClause:
		in.statements(n.Body)
	case *ast.CommClause:
		in.statements(n.Body)
	case *ast.IfStmt:
		in.decide(n.Cond)
	case *ast.ForStmt:
		in.decide(n.Cond)
	case *ast.SwitchStmt:
		for _, clause := range n.Body.List {
			for _, cond := range clause.(*ast.CaseClause).List {
				if n.Tag == nil {
					in.decide(cond)
				}
			}
		}
	case *ast.ReturnStmt:
		in.results(n)
	case *ast.KeyValueExpr:
		in.settled[n.Key] = true
	case ast.Expr:
		return in.expression(n)
	}
	return true
}

func (in *instrumenter) keepLast(body *ast.BlockStmt) {
	if body != nil && len(body.List) > 0 {
		in.required[body.List[len(body.List)-1]] = true
	}
}

// statements makes a mutant without each statement of a list that can be
// missing. An Unlock cannot: that is a deadlock, which proves nothing.
func (in *instrumenter) statements(list []ast.Stmt) {
	for _, s := range list {
		var call ast.Expr
		switch s := s.(type) {
		case *ast.ExprStmt:
			call = s.X
		case *ast.DeferStmt:
			call = s.Call
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		case *ast.BranchStmt:
			if s.Tok == token.FALLTHROUGH || s.Label != nil {
				continue
			}
		case *ast.IncDecStmt, *ast.SendStmt, *ast.GoStmt:
		default:
			continue
		}
		if c, ok := call.(*ast.CallExpr); ok {
			name := types.ExprString(c.Fun)
			if strings.HasSuffix(name, ".Unlock") || name == "panic" && in.required[s] {
				continue
			}
		}
		in.wrap(s, fmt.Sprintf("if mutantKeep(%d) { ", in.mutant(s, "without %s", in.text(s))), " }")
	}
}

// decide forces a condition both ways. Negating it would fail for every test
// that one of these fails for.
func (in *instrumenter) decide(cond ast.Expr) {
	if cond == nil || !in.settle(cond) {
		return
	}
	yes, no := in.mutant(cond, "%s -> true", in.text(cond)), in.mutant(cond, "%s -> false", in.text(cond))
	in.wrap(cond, fmt.Sprintf("mutantBool(%d, %d, ", yes, no), ")")
}

// operand takes one side out of an && or an ||; forcing it the other way is
// forcing the whole.
func (in *instrumenter) operand(x ast.Expr, op token.Token) {
	if same, ok := x.(*ast.BinaryExpr); ok && same.Op == op {
		in.settled[x] = true
		return
	}
	if !in.settle(x) {
		return
	}
	neutral := op == token.LAND
	n := in.mutant(x, "%s -> %t", in.text(x), neutral)
	if neutral {
		in.wrap(x, fmt.Sprintf("mutantBool(%d, 0, ", n), ")")
	} else {
		in.wrap(x, fmt.Sprintf("mutantBool(0, %d, ", n), ")")
	}
}

// settle reports whether x is a condition that nobody has dealt with yet.
func (in *instrumenter) settle(x ast.Expr) bool {
	tv, inner := in.info.Types[x], ast.Unparen(x)
	plain := tv.Type == types.Typ[types.Bool] || tv.Type == types.Typ[types.UntypedBool]
	if in.settled[inner] || !plain || tv.Value != nil {
		return false
	}
	in.settled[x], in.settled[inner] = true, true
	for not, ok := inner.(*ast.UnaryExpr); ok && not.Op == token.NOT; not, ok = inner.(*ast.UnaryExpr) {
		inner = ast.Unparen(not.X)
		in.settled[not.X], in.settled[inner] = true, true
	}
	return true
}

// results drops the errors that a function returns, and forces its bools.
func (in *instrumenter) results(ret *ast.ReturnStmt) {
	of := in.signature().Results()
	if of.Len() != len(ret.Results) {
		return
	}
	for i, x := range ret.Results {
		declared, tv := of.At(i).Type(), in.info.Types[x]
		pointer, isPointer := types.Unalias(declared).(*types.Pointer)
		switch {
		case tv.IsNil():
		case types.Identical(declared, types.Universe.Lookup("error").Type()):
			in.wrap(x, fmt.Sprintf("mutantError(%d, ", in.mutant(x, "%s -> nil", in.text(x))), ")")
		case isPointer && types.Implements(pointer, types.Universe.Lookup("error").Type().Underlying().(*types.Interface)):
			in.wrap(x, fmt.Sprintf("mutantNil(%d, ", in.mutant(x, "%s -> nil", in.text(x))), ")")
		default:
			in.decide(x)
		}
	}
}

// signature is that of the function around the place visited.
func (in *instrumenter) signature() *types.Signature {
	for i := len(in.stack) - 1; ; i-- {
		switch f := in.stack[i].(type) {
		case *ast.FuncLit:
			return in.info.Types[f].Type.(*types.Signature)
		case *ast.FuncDecl:
			return in.info.Defs[f.Name].Type().(*types.Signature)
		}
	}
}

func (in *instrumenter) expression(x ast.Expr) bool {
	if in.info.Types[x].Value != nil {
		in.constant(x)
		return false
	}
	switch x := x.(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			in.decide(x)
		}
	case *ast.CallExpr:
		in.call(x)
	case *ast.BinaryExpr:
		in.binary(x)
	}
	return true
}

// call takes one of two bounds away, and leaves alone what is only formatted.
func (in *instrumenter) call(x *ast.CallExpr) {
	name, fun := types.ExprString(x.Fun), in.info.Types[x.Fun]
	if fun.IsBuiltin() && (name == "min" || name == "max") && len(x.Args) == 2 {
		a, b := in.mutant(x, "%s -> %s", in.text(x), in.text(x.Args[0])), in.mutant(x, "%s -> %s", in.text(x), in.text(x.Args[1]))
		in.replace(x.Fun.Pos(), name, "mutantM"+name[1:])
		in.before[in.offset(x.Lparen)+1] += fmt.Sprintf("%d, %d, ", a, b)
	}
	if s, ok := fun.Type.(*types.Signature); ok && s.Variadic() {
		last := s.Params().Len() - 1
		if types.Identical(s.Params().At(last).Type(), types.NewSlice(types.Universe.Lookup("any").Type())) {
			for _, arg := range x.Args[min(last, len(x.Args)):] {
				in.settled[arg] = true
			}
		}
	}
}

func (in *instrumenter) binary(x *ast.BinaryExpr) {
	isConst := func(e ast.Expr) bool { return in.info.Types[e].Value != nil }
	basic, _ := in.info.Types[x.X].Type.Underlying().(*types.Basic)
	switch x.Op {
	case token.LAND, token.LOR:
		in.decide(x)
		in.operand(x.X, x.Op)
		in.operand(x.Y, x.Op)
	case token.EQL, token.NEQ:
		in.decide(x)
		in.bound[x.X], in.bound[x.Y] = sides{up: true}, sides{up: true}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		in.decide(x)
		// The other way round is what moving the bound does.
		up := x.Op == token.GTR || x.Op == token.LEQ
		in.bound[x.X], in.bound[x.Y] = sides{up: !up, down: up}, sides{up: up, down: !up}
		swapped := map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}[x.Op]
		in.apply(x, swapped)
	case token.ADD, token.SUB:
		if basic != nil && basic.Info()&types.IsNumeric != 0 && !isConst(x.X) && !isConst(x.Y) {
			in.apply(x, map[token.Token]string{token.ADD: "-", token.SUB: "+"}[x.Op])
		}
	case token.MUL, token.QUO:
		in.apply(x, map[token.Token]string{token.MUL: "/", token.QUO: "*"}[x.Op])
	}
}

// apply turns an operator into a call that can be another operator.
func (in *instrumenter) apply(x *ast.BinaryExpr, other string) {
	names := map[token.Token]string{
		token.LSS: "LSS", token.LEQ: "LEQ", token.GTR: "GTR", token.GEQ: "GEQ",
		token.ADD: "ADD", token.SUB: "SUB", token.MUL: "MUL", token.QUO: "QUO",
	}
	n := in.mutant(x, "%s: %s -> %s", in.text(x), x.Op, other)
	in.wrap(x, fmt.Sprintf("mutant%s(%d, ", names[x.Op], n), ")")
	in.replace(x.OpPos, x.Op.String(), ",")
}

// constant moves a number by one, or by a tenth where it is measured, and flips
// a bool. A name for a negative number is left alone: it means that there is no
// number, and any other would mean the same.
func (in *instrumenter) constant(x ast.Expr) {
	tv := in.info.Types[x]
	if _, named := x.(*ast.Ident); named && tv.Value.Kind() == constant.Int && constant.Sign(tv.Value) < 0 {
		return
	}
	side, compared := in.bound[x]
	if in.settled[x] || compared && tv.Value.ExactString() == "0" && side.down {
		return
	}
	if !compared {
		side = sides{up: true, down: true}
	}
	if tv.Type == types.Typ[types.Bool] || tv.Type == types.Typ[types.UntypedBool] {
		if n := in.mutant(x, "%s flipped", in.text(x)); tv.Value.ExactString() == "true" {
			in.wrap(x, fmt.Sprintf("mutantBool(0, %d, ", n), ")")
		} else {
			in.wrap(x, fmt.Sprintf("mutantBool(%d, 0, ", n), ")")
		}
		return
	}
	step, helper := "1", "mutantConst["+tv.Type.String()+"]"
	switch tv.Type.String() {
	case "int", "int64", "uint64", "uint16":
	case "float64":
		step, helper = "10 %", "mutantFloat"
	case "time.Duration":
		step, helper = "10 %", "mutantDuration"
	default:
		return
	}
	var more, less int
	if side.up {
		more = in.mutant(x, "%s + %s", in.text(x), step)
	}
	if side.down {
		less = in.mutant(x, "%s - %s", in.text(x), step)
	}
	in.wrap(x, fmt.Sprintf("%s(%d, %d, ", helper, more, less), ")")
}
