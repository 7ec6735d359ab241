//! Runs a tree: walks it once, writes what it makes, and stops at the first error with Go's words
//! and the node at which Go would say them (`text/template/exec.go`).

use std::{borrow::Cow, fmt::Display, rc::Rc};

use crate::ast::{Branch, Command, Node, Operand, Pipe, What};
use crate::functions::{Call, Function, Kind, RegexCache};
use crate::value::{Object, Value};
use crate::{Env, Limit, Template, builtin, print};

/// Templates may call each other this deep.
const CALLS_MAX: usize = 64;
/// A template may take this many steps; an endless recursion through `range` ends here.
const STEPS_MAX: usize = 1_000_000;

/// Why a run ended early; an error is built only once it is known to be one.
pub(crate) enum Stop {
    Error(String),
    Break,
    Continue,
}

pub(crate) struct Run<'t, 'v, 'o> {
    pub(crate) template: &'t Template,
    pub(crate) env: &'v dyn Env,
    pub(crate) regexes: &'t RegexCache,
    pub(crate) out: &'o mut Vec<u8>,
    start: usize,
    /// The node of which a message would speak.
    at: (usize, &'t dyn Display),
    variables: Vec<(&'t str, Value<'v>)>,
    steps: usize,
    weight: usize,
    calls: usize,
}

impl<'t, 'v, 'o> Run<'t, 'v, 'o>
where
    't: 'v,
{
    pub(crate) fn new(template: &'t Template, env: &'v dyn Env, out: &'o mut Vec<u8>) -> Self {
        let start = out.len();
        let regexes = &template.regexes;
        Self {
            template,
            env,
            regexes,
            out,
            start,
            at: (0, &""),
            variables: Vec::new(),
            steps: 0,
            weight: 0,
            calls: 0,
        }
    }

    pub(crate) fn root(&mut self, data: &'v dyn Object) -> Result<(), Stop> {
        let dot = Value::Object(data);
        self.variables.push(("$", dot.clone()));
        self.list(&self.template.root, &dot)
    }

    fn error(&self, what: impl Display) -> Stop {
        let (at, shown) = self.at;
        let (name, place) = (&self.template.name, self.template.place(at, true));
        let quoted = masthead_model::quote(name);
        Stop::Error(format!("template: {name}:{place}: executing {quoted} at <{shown}>: {what}"))
    }

    fn limit(&self, limit: Limit) -> Stop {
        self.error(limit)
    }

    fn step(&mut self) -> Result<(), Stop> {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err(self.limit(Limit::Steps(STEPS_MAX))) } else { Ok(()) }
    }

    fn list(&mut self, nodes: &'t [Node], dot: &Value<'v>) -> Result<(), Stop> {
        for node in nodes {
            self.step()?;
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Action(pipe) => {
                    self.at = (pipe.at, pipe);
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        self.print(&value)?;
                    }
                }
                Node::If(branch) => self.branch(branch, dot, false)?,
                Node::With(branch) => self.branch(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template { at, shown, name, pipe } => {
                    self.at = (*at, shown);
                    self.call_template(name, pipe.as_ref(), dot)?;
                }
                Node::Break => return Err(Stop::Break),
                Node::Continue => return Err(Stop::Continue),
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if self.out.len() - self.start + bytes.len() > crate::OUTPUT_BYTES_MAX {
            return Err(self.limit(Limit::Output(crate::OUTPUT_BYTES_MAX)));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn print(&mut self, value: &Value<'v>) -> Result<(), Stop> {
        match value {
            Value::Text(text) => self.write(text),
            Value::Nil => self.write(b"<no value>"),
            _ => {
                let mut text = Vec::new();
                print::plain(value, &mut text);
                self.write(&text)
            }
        }
    }

    fn branch(&mut self, branch: &'t Branch, dot: &Value<'v>, moves: bool) -> Result<(), Stop> {
        let scope = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let done = if value.is_true() {
            self.list(&branch.list, if moves { &value } else { dot })
        } else {
            self.list(&branch.otherwise, dot)
        };
        self.variables.truncate(scope);
        done
    }

    fn range(&mut self, branch: &'t Branch, dot: &Value<'v>) -> Result<(), Stop> {
        self.at = (branch.pipe.at, &branch.pipe);
        let scope = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let names = &branch.pipe.variables;
        // The pipeline itself set the first variable; each round sets it again.
        let items: Vec<(Value<'v>, Value<'v>)> = match &value {
            Value::List(list) => (0_i64..).map(Value::Int).zip(list.iter().cloned()).collect(),
            Value::Map(map) => {
                map.iter().map(|(k, v)| (Value::bytes(k.clone()), v.clone())).collect()
            }
            Value::Object(object) => {
                object.entries().into_iter().map(|(k, v)| (Value::Text(k), v)).collect()
            }
            Value::Int(count) | Value::Int64(count) => {
                let count = usize::try_from(*count).unwrap_or(0).min(STEPS_MAX);
                (0_i64..).take(count).map(|at| (Value::Int(at), Value::Int(at))).collect()
            }
            Value::Nil => Vec::new(),
            other => {
                let mut shown = Vec::new();
                print::plain(other, &mut shown);
                let shown = String::from_utf8_lossy(&shown).into_owned();
                return Err(self.error(format!("range can't iterate over {shown}")));
            }
        };
        let empty = items.is_empty();
        for (key, item) in items {
            self.step()?;
            let mark = self.variables.len();
            match names.as_slice() {
                [one] => self.assign(one, item.clone(), branch.pipe.assigns),
                [first, second] => {
                    self.assign(first, key, branch.pipe.assigns);
                    self.assign(second, item.clone(), branch.pipe.assigns);
                }
                _ => {}
            }
            let done = self.list(&branch.list, &item);
            self.variables.truncate(mark);
            match done {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(error) => return Err(error),
            }
        }
        if empty {
            self.list(&branch.otherwise, dot)?;
        }
        self.variables.truncate(scope);
        Ok(())
    }

    fn call_template(
        &mut self,
        name: &'t str,
        pipe: Option<&'t Pipe>,
        dot: &Value<'v>,
    ) -> Result<(), Stop> {
        let Some(list) = self.template.defined.get(name) else {
            let quoted = masthead_model::quote(name);
            return Err(self.error(format!("template {quoted} not defined")));
        };
        if self.calls == CALLS_MAX {
            return Err(self.limit(Limit::Calls(CALLS_MAX)));
        }
        let dot = pipe.map_or(Ok(Value::Nil), |pipe| self.pipe(pipe, dot))?;
        // A template sees none of its caller's variables.
        let outer = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        self.calls += 1;
        let done = self.list(list, &dot);
        self.calls -= 1;
        self.variables = outer;
        done
    }

    fn assign(&mut self, name: &'t str, value: Value<'v>, assigns: bool) {
        if assigns
            && let Some(known) = self.variables.iter_mut().rev().find(|(known, _)| *known == name)
        {
            known.1 = value;
            return;
        }
        self.variables.push((name, value));
    }

    fn pipe(&mut self, pipe: &'t Pipe, dot: &Value<'v>) -> Result<Value<'v>, Stop> {
        self.at = (pipe.at, pipe);
        let mut last = None;
        for command in &pipe.commands {
            self.step()?;
            let value = self.command(command, dot, last.take())?;
            self.weight += value.weight();
            if self.weight > crate::VALUE_BYTES_MAX {
                return Err(self.limit(Limit::Values(crate::VALUE_BYTES_MAX)));
            }
            last = Some(value);
        }
        let value = last.unwrap_or_default();
        for name in &pipe.variables {
            self.assign(name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'t Command,
        dot: &Value<'v>,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>, Stop> {
        let Some((first, rest)) = command.words.split_first() else { return Ok(Value::Nil) };
        let has_args = !rest.is_empty() || last.is_some();
        match &first.what {
            What::Function(name, function) => {
                self.at = (first.at, first);
                self.function(command, name, *function, rest, dot, last)
            }
            What::Field(names) => {
                self.at = (first.at, first);
                self.fields(dot.clone(), names, has_args)
            }
            What::Variable(name, names) => {
                self.at = (first.at, first);
                let value = self.variable(name);
                if names.is_empty() && has_args {
                    return Err(self.not_a_function(first));
                }
                self.fields(value, names, has_args)
            }
            What::Chain(operand, names) => {
                self.at = (first.at, first);
                let value = self.operand(operand, dot)?;
                self.fields(value, names, has_args)
            }
            _ if has_args => {
                self.at = (first.at, first);
                Err(self.not_a_function(first))
            }
            What::Nil => {
                self.at = (first.at, first);
                Err(self.error("nil is not a command"))
            }
            _ => self.operand(first, dot),
        }
    }

    fn not_a_function(&self, word: &Operand) -> Stop {
        self.error(format!("can't give argument to non-function {word}"))
    }

    /// The value of a word that is not called with arguments.
    fn operand(&mut self, operand: &'t Operand, dot: &Value<'v>) -> Result<Value<'v>, Stop> {
        self.at = (operand.at, operand);
        match &operand.what {
            What::Dot => Ok(dot.clone()),
            What::Nil => Ok(Value::Nil),
            What::Bool(value) => Ok(Value::Bool(*value)),
            What::Number { text, value } => {
                if !value.whole {
                    return Ok(Value::Float(value.float));
                }
                value.int.map(Value::Int).ok_or_else(|| self.error(format!("{text} overflows int")))
            }
            What::Text { value, .. } => Ok(Value::Text(Cow::Borrowed(value))),
            What::Field(names) => self.fields(dot.clone(), names, false),
            What::Variable(name, names) => {
                let value = self.variable(name);
                self.fields(value, names, false)
            }
            What::Function(name, function) => {
                let (name, function) = (name.as_str(), *function);
                self.apply((operand.at, operand), name, function, &[], 0)
            }
            What::Pipe(pipe) => {
                let scope = self.variables.len();
                let value = self.pipe(pipe, dot)?;
                self.variables.truncate(scope);
                Ok(value)
            }
            What::Chain(inner, names) => {
                let value = self.operand(inner, dot)?;
                self.fields(value, names, false)
            }
        }
    }

    fn variable(&self, name: &str) -> Value<'v> {
        let found = self.variables.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn fields(
        &mut self,
        mut value: Value<'v>,
        names: &'t [String],
        has_args: bool,
    ) -> Result<Value<'v>, Stop> {
        for (at, name) in names.iter().enumerate() {
            let last = at + 1 == names.len();
            if last && has_args && !matches!(value, Value::Nil) {
                return Err(self.error(format!("{name} is not a method but has arguments")));
            }
            value = match value {
                Value::Object(object) => {
                    object.get(name.as_bytes()).unwrap_or_else(|| object.zero())
                }
                Value::Map(map) => map.get(name.as_bytes()).cloned().unwrap_or_default(),
                // With missingkey=zero nothing has any field, and it is nothing.
                Value::Nil => Value::Nil,
                other => {
                    let what = other.type_name();
                    return Err(self.error(format!("can't evaluate field {name} in type {what}")));
                }
            };
        }
        Ok(value)
    }

    fn function(
        &mut self,
        command: &'t Command,
        name: &'t str,
        function: Option<&'static Function>,
        words: &'t [Operand],
        dot: &Value<'v>,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>, Stop> {
        let whole: (usize, &'t dyn Display) = (command.at, command);
        // `and` and `or` look at no more than they must.
        if function.is_none() && matches!(name, "and" | "or") {
            return self.short_circuit(name == "or", words, dot, last);
        }
        let count = words.len() + usize::from(last.is_some());
        if let Some(function) = function {
            let fixed = function.args.len() - usize::from(function.variadic);
            let wrong = if function.variadic { count < fixed } else { count != fixed };
            if wrong {
                let want =
                    if function.variadic { format!("at least {fixed}") } else { fixed.to_string() };
                let what = format!("wrong number of args for {name}: want {want} got {count}");
                return Err(self.error(what));
            }
        }
        let mut args = Vec::with_capacity(count);
        for (at, word) in words.iter().enumerate() {
            let kind = function.map_or(Kind::Any, |function| function.kind(at));
            args.push(self.argument(word, kind, dot)?);
        }
        if let Some(last) = last {
            let kind = function.map_or(Kind::Any, |function| function.kind(args.len()));
            args.push(self.checked(last, kind)?);
        }
        self.apply(whole, name, function, &args, words.len())
    }

    fn short_circuit(
        &mut self,
        stops_at: bool,
        words: &'t [Operand],
        dot: &Value<'v>,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>, Stop> {
        let name = if stops_at { "or" } else { "and" };
        let mut value = None;
        for word in words {
            let next = self.argument(word, Kind::Any, dot)?;
            if next.is_true() == stops_at {
                return Ok(next);
            }
            value = Some(next);
        }
        last.or(value).ok_or_else(|| {
            self.error(format!("wrong number of args for {name}: want at least 1 got 0"))
        })
    }

    fn argument(
        &mut self,
        word: &'t Operand,
        kind: Kind,
        dot: &Value<'v>,
    ) -> Result<Value<'v>, Stop> {
        // Constants must be written as what the function takes; everything else is checked.
        let expected = |run: &mut Self, what: &str| {
            run.at = (word.at, word);
            Err(run.error(format!("expected {what}; found {word}")))
        };
        match (&word.what, kind) {
            (What::Number { value, .. }, Kind::Int) => match value.int {
                Some(int) => Ok(Value::Int(int)),
                None => expected(self, "integer"),
            },
            (What::Number { value, .. }, Kind::Float) => Ok(Value::Float(value.float)),
            (What::Number { .. } | What::Bool(_), Kind::Text) => expected(self, "string"),
            (What::Text { .. } | What::Bool(_), Kind::Int) => expected(self, "integer"),
            (What::Text { .. } | What::Bool(_), Kind::Float) => expected(self, "float"),
            (What::Number { .. } | What::Text { .. }, Kind::Bool) => expected(self, "bool"),
            (What::Number { .. } | What::Text { .. } | What::Bool(_), Kind::Time) => {
                self.at = (word.at, word);
                Err(self.error("can't handle assignment of constant to time.Time"))
            }
            (What::Nil, Kind::Any) => Ok(Value::Nil),
            (What::Nil, kind) => {
                self.at = (word.at, word);
                Err(self.error(format!("cannot assign nil to {}", kind.type_name())))
            }
            _ => {
                let value = self.operand(word, dot)?;
                self.checked(value, kind)
            }
        }
    }

    fn checked(&self, value: Value<'v>, kind: Kind) -> Result<Value<'v>, Stop> {
        if kind.takes(&value) {
            return Ok(value);
        }
        let expected = kind.type_name();
        Err(self.error(match value {
            Value::Nil => format!("invalid value; expected {expected}"),
            other => {
                format!("wrong type for value; expected {expected}; got {}", other.type_name())
            }
        }))
    }

    fn apply(
        &mut self,
        whole: (usize, &'t dyn Display),
        name: &str,
        function: Option<&'static Function>,
        args: &[Value<'v>],
        words: usize,
    ) -> Result<Value<'v>, Stop> {
        let result = match function {
            Some(function) => {
                let fixed = function.args.len() - usize::from(function.variadic);
                if args.len() < fixed {
                    let want = if function.variadic {
                        format!("at least {fixed}")
                    } else {
                        fixed.to_string()
                    };
                    let what = format!("wrong number of args for {name}: want {want} got {words}");
                    return Err(self.error(what));
                }
                (function.call)(&Call { env: self.env, regexes: self.regexes }, args)
            }
            None if name == "call" => {
                let shown = whole.1.to_string();
                let word = shown.split(' ').nth(1).unwrap_or_default();
                match args.first() {
                    None => {
                        return Err(
                            self.error("wrong number of args for call: want at least 1 got 0")
                        );
                    }
                    Some(Value::Nil) => Err("call of nil".to_owned()),
                    Some(value) => {
                        Err(format!("non-function {word} of type {}", value.type_name()))
                    }
                }
            }
            None => match builtin::arity(name, args.len()) {
                Ok(()) => builtin::call(name, args),
                Err(want) => {
                    let what = format!("wrong number of args for {name}: {want}");
                    return Err(self.error(what));
                }
            },
        };
        result.map_err(|what| {
            self.at = whole;
            self.error(format!("error calling {name}: {what}"))
        })
    }
}

/// A list of values, for functions that make one.
pub(crate) fn list(values: Vec<Value<'_>>) -> Value<'_> {
    Value::List(Rc::from(values))
}
