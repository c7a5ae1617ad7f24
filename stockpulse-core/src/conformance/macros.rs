//! The macros that rules are written with.

/// Ends a rule with a [`Violation`](super::Violation) unless the condition holds; the rest is a message.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err($crate::conformance::Violation::new(format!($($message)+)));
        }
    };
}

/// Ends a rule with a [`Violation`](super::Violation) unless both are equal; the rest says what they are.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr, $($what:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if *found != *expected {
                    return Err($crate::conformance::Violation::unequal(&format!($($what)+), &found, &expected));
                }
            }
        }
    };
}

/// The one list of a port's rules: makes `RULES`, and the exported macro that makes a test of each.
///
/// ```text
/// rules! {
///     $                                   // a dollar sign, which the exported macro needs
///     /// Documentation of the exported macro.
///     cache_conformance => cache: std::sync::Arc<dyn Cache>;
///     /// What the rule means, in a sentence or two.
///     reads::answers_are_aligned,         // a submodule and an async function in it
/// }
/// ```
macro_rules! rules {
    (
        $dollar:tt
        $(#[doc = $about:literal])+
        $exported:ident => $port:ident: $backend:ty;
        $($(#[doc = $meaning:literal])+ $module:ident :: $rule:ident,)+
    ) => {
        /// Every rule of this port.
        pub const RULES: &[$crate::conformance::Rule<$backend>] = &[$(
            $crate::conformance::Rule {
                name: stringify!($rule),
                meaning: concat!($($meaning),+).trim_ascii(),
                check: |harness| Box::pin($module::$rule(harness)),
            },
        )+];

        $(#[doc = $about])+
        #[macro_export]
        macro_rules! $exported {
            ($dollar harness:expr) => {
                $(
                    #[doc = concat!($($meaning),+)]
                    #[test]
                    fn $rule() -> ::std::result::Result<(), $crate::conformance::Violation> {
                        let rules = $crate::conformance::$port::RULES;
                        $crate::conformance::test(rules, stringify!($rule), async { $dollar harness })
                    }
                )+
            };
        }
    };
}
