//! Tokens to a tree, with the messages of Go's `text/template/parse`.

use std::{collections::BTreeMap, sync::Arc};

use crate::ast::{Branch, Command, Node, Operand, Pipe, What};
use crate::functions::Functions;
use crate::lexer::{self, Kind, Token, Wrong};

/// Blocks and parentheses may nest this deep, because each level takes a frame of the stack.
const DEPTH_MAX: usize = 100;

/// Everything that one text defines.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) root: Vec<Node>,
    pub(crate) defined: BTreeMap<String, Vec<Node>>,
}

pub(crate) fn parse(text: &str, functions: &Functions) -> Result<Parsed, Wrong> {
    let tokens = lexer::lex(text)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        functions,
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
        parsed: Parsed::default(),
    };
    let (root, end) = parser.list(true)?;
    match end {
        ListEnd::Text => {}
        ListEnd::End(at) => return Err((at, "unexpected {{end}}".to_owned())),
        ListEnd::Else(at) => return Err((at, "unexpected {{else}}".to_owned())),
    }
    parser.parsed.root = root;
    Ok(parser.parsed)
}

fn template(at: usize, name: String, pipe: Option<Pipe>) -> Node {
    let quoted = masthead_model::quote(&name);
    let shown = match &pipe {
        Some(pipe) => format!("{{{{template {quoted} {pipe}}}}}"),
        None => format!("{{{{template {quoted}}}}}"),
    };
    Node::Template { at, shown, name, pipe }
}

struct Parser<'t> {
    tokens: Vec<Token>,
    at: usize,
    functions: &'t Functions,
    /// Variables in scope, with their `$`.
    variables: Vec<String>,
    /// How many loops are around.
    ranges: usize,
    depth: usize,
    parsed: Parsed,
}

/// What a list of nodes ended with.
enum ListEnd {
    Text,
    End(usize),
    Else(usize),
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token {
            kind: Kind::End,
            at: self.tokens.last().map_or(0, |t| t.at),
            text: String::new(),
        })
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn peek_word(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
        self.peek()
    }

    fn next_word(&mut self) -> Token {
        self.peek_word();
        self.next()
    }

    fn unexpected(token: &Token, context: &str) -> Wrong {
        let shown = match token.kind {
            Kind::End => "EOF".to_owned(),
            Kind::Keyword => format!("<{}>", token.text),
            _ if token.text.chars().count() > 10 => {
                let start: String = token.text.chars().take(10).collect();
                format!("{}...", masthead_model::quote(&start))
            }
            _ => masthead_model::quote(&token.text),
        };
        (token.at, format!("unexpected {shown} in {context}"))
    }

    fn enter(&mut self, at: usize) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err((at, format!("nested more than {DEPTH_MAX} deep")));
        }
        Ok(())
    }

    /// Nodes up to `{{end}}`, `{{else}}` or, at the top, the end of the text.
    fn list(&mut self, top: bool) -> Result<(Vec<Node>, ListEnd), Wrong> {
        self.enter(self.peek().at)?;
        let mut nodes = Vec::new();
        let end = loop {
            let token = self.next();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(token.text.as_bytes().into())),
                Kind::Left => match self.action(&mut nodes, top)? {
                    None => {}
                    Some(end) => break end,
                },
                Kind::End if top => break ListEnd::Text,
                Kind::End => return Err((token.at, "unexpected EOF".to_owned())),
                _ => return Err(Self::unexpected(&token, "input")),
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn action(&mut self, nodes: &mut Vec<Node>, top: bool) -> Result<Option<ListEnd>, Wrong> {
        let token = self.peek_word();
        if token.kind != Kind::Keyword {
            let pipe = self.pipe("command", Kind::Right)?;
            nodes.push(Node::Action(pipe));
            return Ok(None);
        }
        self.next();
        match token.text.as_str() {
            "if" => nodes.push(Node::If(self.branch("if")?)),
            "with" => nodes.push(Node::With(self.branch("with")?)),
            "range" => nodes.push(Node::Range(self.branch("range")?)),
            word @ ("break" | "continue") => {
                let next = self.next_word();
                if next.kind != Kind::Right {
                    return Err(Self::unexpected(&next, &format!("{{{{{word}}}}}")));
                }
                if self.ranges == 0 {
                    return Err((token.at, format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                nodes.push(if word == "break" { Node::Break } else { Node::Continue });
            }
            "end" => {
                self.close("end")?;
                return Ok(Some(ListEnd::End(token.at)));
            }
            "else" => {
                // `{{else if …}}` and `{{else with …}}` leave the keyword for the branch.
                if self.peek_word().kind != Kind::Keyword {
                    self.close("else")?;
                }
                return Ok(Some(ListEnd::Else(token.at)));
            }
            "define" if !top || self.depth > 1 => {
                return Err((token.at, "unexpected {{define}}".to_owned()));
            }
            "define" => {
                let (_, name) = self.name("define clause")?;
                self.close("define clause")?;
                self.definition(name, "define")?;
            }
            "block" => {
                let (at, name) = self.name("block clause")?;
                let pipe = self.pipe("block clause", Kind::Right)?;
                self.definition(name.clone(), "block")?;
                nodes.push(template(at, name, Some(pipe)));
            }
            _ => {
                let (at, name) = self.name("template clause")?;
                let pipe = if self.peek_word().kind == Kind::Right {
                    self.next();
                    None
                } else {
                    Some(self.pipe("template clause", Kind::Right)?)
                };
                nodes.push(template(at, name, pipe));
            }
        }
        Ok(None)
    }

    fn close(&mut self, context: &str) -> Result<(), Wrong> {
        let token = self.next_word();
        if token.kind == Kind::Right { Ok(()) } else { Err(Self::unexpected(&token, context)) }
    }

    /// A quoted name with its place.
    fn name(&mut self, context: &str) -> Result<(usize, String), Wrong> {
        let token = self.next_word();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return Err(Self::unexpected(&token, context));
        }
        let name = masthead_model::unquote(&token.text).map_err(|e| (token.at, e.to_string()))?;
        Ok((token.at, name))
    }

    /// The body of `define` or `block`, which sees no variables from outside.
    fn definition(&mut self, name: String, what: &str) -> Result<(), Wrong> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (list, end) = self.list(false)?;
        if let ListEnd::Else(at) = end {
            return Err((at, format!("unexpected {{{{else}}}} in {what} clause")));
        }
        self.variables = outer;
        self.ranges = ranges;
        // An empty body does not replace what is there.
        if !list.is_empty() || !self.parsed.defined.contains_key(&name) {
            self.parsed.defined.insert(name, list);
        }
        Ok(())
    }

    fn branch(&mut self, context: &str) -> Result<Branch, Wrong> {
        let scope = self.variables.len();
        let pipe = self.pipe(context, Kind::Right)?;
        self.ranges += usize::from(context == "range");
        let (list, end) = self.list(false)?;
        self.ranges -= usize::from(context == "range");
        let mut otherwise = Vec::new();
        if let ListEnd::Else(at) = end {
            let next = self.peek_word();
            if next.kind == Kind::Keyword && next.text == context && context != "range" {
                self.next();
                self.enter(at)?;
                let branch = self.branch(context)?;
                self.depth -= 1;
                otherwise.push(if context == "if" { Node::If(branch) } else { Node::With(branch) });
            } else if next.kind == Kind::Keyword {
                return Err(Self::unexpected(&next, "else"));
            } else {
                let (list, end) = self.list(false)?;
                if let ListEnd::Else(at) = end {
                    return Err((at, "expected end; found {{else}}".to_owned()));
                }
                otherwise = list;
            }
        }
        self.variables.truncate(scope);
        Ok(Branch { pipe, list, otherwise })
    }

    /// A pipeline up to `end`, which is taken.
    fn pipe(&mut self, context: &str, end: Kind) -> Result<Pipe, Wrong> {
        let first = self.peek_word();
        let mut pipe =
            Pipe { at: first.at, variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.peek_word();
            match token.kind {
                kind if kind == end => {
                    self.next();
                    break;
                }
                Kind::Right | Kind::RightParen => return Err(Self::unexpected(&token, context)),
                Kind::End => return Err((token.at, "unclosed action".to_owned())),
                _ => pipe.commands.push(self.command(context)?),
            }
        }
        if pipe.commands.is_empty() {
            return Err((pipe.at, format!("missing value for {context}")));
        }
        for (at, command) in pipe.commands.iter().enumerate().skip(1) {
            let executable = command.words.first().is_some_and(|word| {
                !matches!(
                    word.what,
                    What::Bool(_) | What::Dot | What::Nil | What::Number { .. } | What::Text { .. }
                )
            });
            if !executable {
                let what = format!("non executable command in pipeline stage {}", at + 1);
                return Err((command.at, what));
            }
        }
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), Wrong> {
        let start = self.at;
        let first = self.peek_word();
        if first.kind != Kind::Variable {
            return Ok(());
        }
        self.next();
        let sign = self.peek_word();
        let mut names = vec![first.text.clone()];
        if sign.kind == Kind::Comma && context == "range" {
            self.next();
            let second = self.next_word();
            if second.kind != Kind::Variable {
                return Err((second.at, "range can only initialize variables".to_owned()));
            }
            names.push(second.text);
        }
        let sign = self.peek_word();
        match sign.kind {
            Kind::Declare => {
                self.next();
                self.variables.extend(names.iter().cloned());
            }
            Kind::Assign => {
                self.next();
                pipe.assigns = true;
                for name in &names {
                    self.known(name, first.at)?;
                }
            }
            Kind::Comma => {
                return Err((sign.at, format!("too many declarations in {context}")));
            }
            _ => {
                self.at = start;
                return Ok(());
            }
        }
        pipe.variables = names;
        Ok(())
    }

    fn known(&self, name: &str, at: usize) -> Result<(), Wrong> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        Err((at, format!("undefined variable {}", masthead_model::quote(name))))
    }

    /// Words up to a `|`, which is taken, or the end of the pipeline, which is not.
    fn command(&mut self, context: &str) -> Result<Command, Wrong> {
        let at = self.peek_word().at;
        let mut words = Vec::new();
        loop {
            self.peek_word();
            if let Some(word) = self.operand()? {
                words.push(word);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::Right | Kind::RightParen => {
                    self.at -= 1;
                    break;
                }
                Kind::Pipe => {
                    // Nothing may not be piped into.
                    let next = self.peek_word();
                    if matches!(next.kind, Kind::Right | Kind::RightParen) {
                        return Err((next.at, format!("missing value for {context}")));
                    }
                    break;
                }
                _ => return Err(Self::unexpected(&token, "operand")),
            }
        }
        if words.is_empty() {
            return Err((at, "empty command".to_owned()));
        }
        Ok(Command { at, words })
    }

    fn operand(&mut self) -> Result<Option<Operand>, Wrong> {
        let Some(Operand { at, what }) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(Operand { at, what }));
        }
        let chain_at = self.peek().at;
        let mut names = Vec::new();
        while self.peek().kind == Kind::Field {
            names.push(self.next().text.trim_start_matches('.').to_owned());
        }
        let what = match what {
            What::Field(mut fields) => {
                fields.append(&mut names);
                What::Field(fields)
            }
            What::Variable(name, mut fields) => {
                fields.append(&mut names);
                What::Variable(name, fields)
            }
            What::Bool(_) | What::Number { .. } | What::Text { .. } | What::Nil | What::Dot => {
                let operand = Operand { at, what };
                let what = format!(
                    "unexpected . after term {}",
                    masthead_model::quote(&operand.to_string())
                );
                return Err((chain_at, what));
            }
            what => What::Chain(Box::new(Operand { at, what }), names),
        };
        Ok(Some(Operand { at: chain_at, what }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Wrong> {
        let token = self.next_word();
        let at = token.at;
        let what = match token.kind {
            Kind::Identifier => {
                let function = self.functions.get(&token.text);
                if function.is_none() && !crate::builtin::is_builtin(&token.text) {
                    let name = masthead_model::quote(&token.text);
                    return Err((at, format!("function {name} not defined")));
                }
                What::Function(token.text, function)
            }
            Kind::Dot => What::Dot,
            Kind::Nil => What::Nil,
            Kind::Bool => What::Bool(token.text == "true"),
            Kind::Field => What::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Variable => {
                self.known(&token.text, at)?;
                What::Variable(token.text, Vec::new())
            }
            Kind::Number => {
                let value = lexer::number(&token.text);
                let value = value.ok_or((at, format!("bad number syntax: {}", token.text)))?;
                What::Number { text: token.text, value }
            }
            Kind::Char => {
                let inner = masthead_model::unquote(&token.text);
                let mut chars = inner.as_deref().unwrap_or_default().chars();
                let (Some(c), None) = (chars.next(), chars.next()) else {
                    return Err((at, format!("malformed character constant: {}", token.text)));
                };
                let code = u32::from(c);
                let value =
                    lexer::Number { int: Some(code.into()), float: code.into(), whole: true };
                What::Number { text: token.text, value }
            }
            Kind::String | Kind::RawString => {
                let value = masthead_model::unquote_bytes(&token.text)
                    .map_err(|_| (at, "invalid syntax".to_owned()))?;
                What::Text { quoted: token.text, value: Arc::from(value) }
            }
            Kind::LeftParen => {
                self.enter(at)?;
                let pipe = self.pipe("parenthesized pipeline", Kind::RightParen)?;
                self.depth -= 1;
                What::Pipe(Box::new(pipe))
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Operand { at, what }))
    }
}
