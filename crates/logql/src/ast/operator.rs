//! Operators and functions by name: one table each, from which parser, printer and documentation
//! derive.

/// What a range of lines becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the function of its name; see the table")]
pub enum RangeOp {
    CountOverTime,
    Rate,
    RateCounter,
    BytesOverTime,
    BytesRate,
    AvgOverTime,
    SumOverTime,
    MinOverTime,
    MaxOverTime,
    StdvarOverTime,
    StddevOverTime,
    QuantileOverTime,
    FirstOverTime,
    LastOverTime,
    AbsentOverTime,
}

/// What series become together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the aggregation of its name; see the table")]
pub enum VectorOp {
    Sum,
    Avg,
    Count,
    Max,
    Min,
    Stddev,
    Stdvar,
    Bottomk,
    Topk,
    Sort,
    SortDesc,
    ApproxTopk,
}

/// How `unwrap` reads the value of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnwrapConversion {
    /// `unwrap label`
    Number,
    /// `unwrap bytes(label)`
    Bytes,
    /// `unwrap duration(label)`
    Duration,
    /// `unwrap duration_seconds(label)`
    DurationSeconds,
}

/// An operator between two metric expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator of its name; see `as_str`")]
pub enum BinaryOp {
    Or,
    And,
    Unless,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What documentation and completion say about a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc<T> {
    /// Which it is.
    pub op: T,
    /// As it is written.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

const fn doc<T>(op: T, name: &'static str, doc: &'static str) -> FunctionDoc<T> {
    FunctionDoc { op, name, doc }
}

/// Every function of a range of lines.
pub static RANGE_FUNCTIONS: &[FunctionDoc<RangeOp>] = &[
    doc(RangeOp::CountOverTime, "count_over_time", "How many lines there are."),
    doc(RangeOp::Rate, "rate", "Lines per second; with `unwrap` the sum of values per second."),
    doc(
        RangeOp::RateCounter,
        "rate_counter",
        "The increase per second of unwrapped values that are a counter.",
    ),
    doc(RangeOp::BytesOverTime, "bytes_over_time", "How many bytes the lines have."),
    doc(RangeOp::BytesRate, "bytes_rate", "Bytes of lines per second."),
    doc(RangeOp::AvgOverTime, "avg_over_time", "The mean of unwrapped values."),
    doc(RangeOp::SumOverTime, "sum_over_time", "The sum of unwrapped values."),
    doc(RangeOp::MinOverTime, "min_over_time", "The least of unwrapped values."),
    doc(RangeOp::MaxOverTime, "max_over_time", "The greatest of unwrapped values."),
    doc(
        RangeOp::StdvarOverTime,
        "stdvar_over_time",
        "The variance of unwrapped values as a whole population.",
    ),
    doc(
        RangeOp::StddevOverTime,
        "stddev_over_time",
        "The standard deviation of unwrapped values as a whole population.",
    ),
    doc(
        RangeOp::QuantileOverTime,
        "quantile_over_time",
        "A quantile of unwrapped values, interpolated.",
    ),
    doc(RangeOp::FirstOverTime, "first_over_time", "The oldest of unwrapped values."),
    doc(RangeOp::LastOverTime, "last_over_time", "The newest of unwrapped values."),
    doc(RangeOp::AbsentOverTime, "absent_over_time", "1 where there are no lines."),
];

/// Every aggregation of series.
pub static VECTOR_FUNCTIONS: &[FunctionDoc<VectorOp>] = &[
    doc(VectorOp::Sum, "sum", "The sum of a group."),
    doc(VectorOp::Avg, "avg", "The mean of a group."),
    doc(VectorOp::Count, "count", "How many series a group has."),
    doc(VectorOp::Max, "max", "The greatest of a group."),
    doc(VectorOp::Min, "min", "The least of a group."),
    doc(VectorOp::Stddev, "stddev", "The standard deviation of a group as a whole population."),
    doc(VectorOp::Stdvar, "stdvar", "The variance of a group as a whole population."),
    doc(VectorOp::Bottomk, "bottomk", "The k least series of a group, with their labels."),
    doc(VectorOp::Topk, "topk", "The k greatest series of a group, with their labels."),
    doc(VectorOp::Sort, "sort", "Series by rising value; of instant queries only."),
    doc(VectorOp::SortDesc, "sort_desc", "Series by falling value; of instant queries only."),
    doc(VectorOp::ApproxTopk, "approx_topk", "As `topk`, of instant queries only; exact here."),
];

fn name_of<T: PartialEq + Copy>(table: &[FunctionDoc<T>], op: T) -> &'static str {
    table.iter().find(|row| row.op == op).map_or("", |row| row.name)
}

impl RangeOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        name_of(RANGE_FUNCTIONS, self)
    }

    /// Whether it makes a number of the lines themselves.
    pub fn takes_lines(self) -> bool {
        matches!(
            self,
            Self::CountOverTime
                | Self::Rate
                | Self::BytesOverTime
                | Self::BytesRate
                | Self::AbsentOverTime
        )
    }

    /// Whether it makes a number of unwrapped values.
    pub fn takes_values(self) -> bool {
        !matches!(self, Self::CountOverTime | Self::BytesOverTime | Self::BytesRate)
    }

    /// Whether `by` and `without` may follow.
    pub fn takes_grouping(self) -> bool {
        matches!(
            self,
            Self::AvgOverTime
                | Self::StddevOverTime
                | Self::StdvarOverTime
                | Self::QuantileOverTime
                | Self::MaxOverTime
                | Self::MinOverTime
                | Self::FirstOverTime
                | Self::LastOverTime
        )
    }
}

impl VectorOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        name_of(VECTOR_FUNCTIONS, self)
    }

    /// Whether the number of series to keep comes first.
    pub fn takes_parameter(self) -> bool {
        matches!(self, Self::Topk | Self::Bottomk | Self::ApproxTopk)
    }
}

impl UnwrapConversion {
    /// The name of the function; empty for a plain number.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::DurationSeconds => "duration_seconds",
        }
    }
}

impl BinaryOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Unless => "unless",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// How strongly it binds.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Less
            | Self::LessOrEqual => 3,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Mod => 5,
            Self::Pow => 6,
        }
    }

    /// Whether `a op b op c` is `a op (b op c)`.
    pub fn is_right_associative(self) -> bool {
        self == Self::Pow
    }

    /// Whether it works on which series are there rather than on their values.
    pub fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }

    /// Whether it compares.
    pub fn is_comparison(self) -> bool {
        self.precedence() == 3
    }

    /// The result of arithmetic, or 1 and 0 for a comparison. Division by zero is NaN, which is
    /// Loki's way; set operators, which have no value, are NaN too.
    pub fn apply(self, left: f64, right: f64) -> f64 {
        #[expect(clippy::float_cmp, reason = "the language compares so")]
        let holds = match self {
            Self::Add => return left + right,
            Self::Sub => return left - right,
            Self::Mul => return left * right,
            Self::Div => return if right == 0.0 { f64::NAN } else { left / right },
            Self::Mod => return if right == 0.0 { f64::NAN } else { left % right },
            Self::Pow => return left.powf(right),
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Or | Self::And | Self::Unless => return f64::NAN,
        };
        f64::from(u8::from(holds))
    }
}
