//! [`structure!`](crate::structure), and what it shares with [`choice!`](crate::choice).

/// Describes a structure as the specification's table does; see the [module](crate::codec).
#[macro_export]
macro_rules! structure {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(_ $lead:tt,)*
            $(
                $(#[$fmeta:meta])*
                $field:ident: $ty:ty $(as $how:ident $(($($arg:tt)*))?)?,
                $(_ $fill:tt,)*
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the specification's names, documented there")]
        $vis struct $name {
            $($(#[$fmeta])* pub $field: $ty,)*
        }

        #[allow(dead_code, reason = "a private structure's layout may not be asked for")]
        impl $name {
            /// The fields and lengths with their offsets in bytes, as far as they are fixed: lists and texts of no
            /// fixed length count as empty.
            pub fn layout() -> Vec<(&'static str, usize)> {
                #[allow(unused_mut, unused_assignments, reason = "there may be no field")]
                let mut layout = Vec::new();
                #[allow(unused_mut, unused_variables, unused_assignments, reason = "there may be no field")]
                let mut at = 0;
                $crate::__layout!(layout, at, {
                    $(_ $lead,)*
                    $($field: $ty $(as $how $(($($arg)*))?)?, $(_ $fill,)*)*
                });
                layout
            }
        }

        impl $crate::codec::Codec for $name {
            const MIN: usize = {
                #[allow(unused_mut, unused_assignments, reason = "there may be no field")]
                let mut at = 0;
                $crate::__min!(at, {
                    $(_ $lead,)*
                    $($field: $ty $(as $how $(($($arg)*))?)?, $(_ $fill,)*)*
                });
                at
            };

            fn read(
                r: &mut $crate::codec::Reader<'_>,
            ) -> ::std::result::Result<Self, $crate::codec::ReadError> {
                #[allow(unused_variables, reason = "only lengths and padding go by it")]
                let start = r.offset();
                Ok($crate::__read_body!(r, start, (Self), {
                    $(_ $lead,)*
                    $($field: $ty $(as $how $(($($arg)*))?)?, $(_ $fill,)*)*
                }))
            }

            #[allow(unused_variables, reason = "only lengths and padding go by the start")]
            fn write(&self, w: &mut $crate::codec::Writer<'_>) {
                let Self { $($field),* } = self;
                let start = w.offset();
                $crate::__write_body!(w, start, {
                    $(_ $lead,)*
                    $($field: $ty $(as $how $(($($arg)*))?)?, $(_ $fill,)*)*
                });
            }
        }

        impl $crate::codec::JsonObject for $name {
            #[allow(unused_variables, reason = "there may be no field")]
            fn to_fields(&self, object: &mut $crate::codec::Object) {
                $($crate::__to_field!(object, &self.$field, $field, ($($how)?));)*
            }

            #[allow(unused_variables, reason = "there may be no field")]
            fn from_fields(
                object: &mut $crate::codec::Object,
            ) -> ::std::result::Result<Self, $crate::codec::JsonError> {
                Ok(Self { $($field: $crate::__from_field!(object, $field, ($($how)?)),)* })
            }
        }

        $crate::__object_json!($name);

        $crate::__if_arbitrary! {
            impl $crate::codec::Arbitrary for $name {
                #[allow(unused_variables, reason = "there may be no field")]
                fn arbitrary(e: &mut $crate::codec::Entropy<'_>) -> Self {
                    Self { $($field: $crate::__arbitrary_field!(e, ($($how $(($($arg)*))?)?)),)* }
                }
            }
        }
    };
}

/// `Json`, and serde's traits, for what has `JsonObject`.
#[doc(hidden)]
#[macro_export]
macro_rules! __object_json {
    ($name:ident) => {
        impl $crate::codec::Json for $name {
            fn to_json(&self) -> $crate::codec::Value {
                $crate::codec::object_to_json(self)
            }

            fn from_json(
                value: $crate::codec::Value,
            ) -> ::std::result::Result<Self, $crate::codec::JsonError> {
                $crate::codec::object_from_json(value)
            }
        }

        $crate::__serde!($name);
    };
}

/// Adds the least size of the fields to `$at`.
#[doc(hidden)]
#[macro_export]
macro_rules! __min {
    ($at:ident, {
        $(_ $lead:tt,)*
        $($field:ident: $ty:ty $(as $how:ident $(($($arg:tt)*))?)?, $(_ $fill:tt,)*)*
    }) => {
        $($crate::__min_fill!($at, $lead);)*
        $(
            $at += $crate::__min_field!($ty, ($($how $(($($arg)*))?)?));
            $($crate::__min_fill!($at, $fill);)*
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __min_fill {
    ($at:ident, [align $unit:literal]) => {
        $at = ($at as usize).next_multiple_of($unit)
    };
    ($at:ident, [$n:literal]) => {
        $at += $n
    };
    ($at:ident, [$n:literal in $range:expr]) => {};
    ($at:ident, ($x:ident: $int:ty)) => {
        $at += <$int as $crate::codec::Codec>::MIN
    };
    ($at:ident, {$x:ident: $int:ty}) => {
        $at += <$int as $crate::codec::Codec>::MIN
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __min_field {
    ($ty:ty, (slots($x:ident, $n:literal))) => {
        $n * <<$ty as ::std::iter::IntoIterator>::Item as $crate::codec::Codec>::MIN
    };
    ($ty:ty, (only($range:expr))) => {
        0
    };
    ($ty:ty, $how:tt) => {
        <$ty as $crate::codec::Codec>::MIN
    };
}

/// Appends the fields' names and offsets to `$layout`.
#[doc(hidden)]
#[macro_export]
macro_rules! __layout {
    ($layout:ident, $at:ident, {
        $(_ $lead:tt,)*
        $($field:ident: $ty:ty $(as $how:ident $(($($arg:tt)*))?)?, $(_ $fill:tt,)*)*
    }) => {
        $($crate::__layout_fill!($layout, $at, $lead);)*
        $(
            $layout.push(($crate::codec::plain_name(stringify!($field)), $at));
            $at += $crate::__min_field!($ty, ($($how $(($($arg)*))?)?));
            $($crate::__layout_fill!($layout, $at, $fill);)*
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __layout_fill {
    ($layout:ident, $at:ident, ($x:ident: $int:ty)) => {
        $layout.push((stringify!($x), $at));
        $crate::__min_fill!($at, ($x: $int));
    };
    ($layout:ident, $at:ident, {$x:ident: $int:ty}) => {
        $layout.push((stringify!($x), $at));
        $crate::__min_fill!($at, {$x: $int});
    };
    ($layout:ident, $at:ident, $pad:tt) => { $crate::__min_fill!($at, $pad) };
}

/// Reads the fields and makes the value `$make { fields }` of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __read_body {
    ($r:ident, $start:ident, ($($make:tt)*), {
        $(_ $lead:tt,)*
        $($field:ident: $ty:ty $(as $how:ident $(($($arg:tt)*))?)?, $(_ $fill:tt,)*)*
    }) => {{
        #[allow(unused_mut, unused_assignments, reason = "not every structure tells its length")]
        let mut outer: ::std::option::Option<$crate::codec::Outer> = None;
        $($crate::__read_fill!($r, $start, outer, $lead);)*
        $(
            let $field: $ty = $crate::__read_field!($r, $ty, ($($how $(($($arg)*))?)?))
                .map_err(|e| e.within(stringify!($field)))?;
            $($crate::__read_fill!($r, $start, outer, $fill);)*
        )*
        if let Some(outer) = outer {
            $r.widen(outer)?;
        }
        $($make)* { $($field),* }
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_fill {
    ($r:ident, $start:ident, $outer:ident, [align $unit:literal]) => {
        $r.align($start, $unit).map_err(|e| e.within("pad"))?;
    };
    ($r:ident, $start:ident, $outer:ident, [$n:literal]) => {
        $r.skip($n).map_err(|e| e.within("pad"))?;
    };
    ($r:ident, $start:ident, $outer:ident, [$n:literal in $range:expr]) => {
        if ($range).contains(&$r.version()) {
            $r.skip($n).map_err(|e| e.within("pad"))?;
        }
    };
    ($r:ident, $start:ident, $outer:ident, ($x:ident: $int:ty)) => {
        let $x = $crate::codec::read_number::<$int>($r, stringify!($x))?;
    };
    ($r:ident, $start:ident, $outer:ident, {$x:ident: $int:ty}) => {
        $outer = Some($crate::codec::read_length::<$int>($r, $start, stringify!($x))?);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_field {
    ($r:ident, $ty:ty, ()) => {
        <$ty as $crate::codec::Codec>::read($r)
    };
    ($r:ident, $ty:ty, (flat)) => {
        <$ty as $crate::codec::Codec>::read($r)
    };
    ($r:ident, $ty:ty, (after($before:literal))) => {
        <$ty as $crate::codec::Codec>::read($r)
    };
    ($r:ident, $ty:ty, (with($module:ident))) => {
        $module::read($r)
    };
    ($r:ident, $ty:ty, (only($range:expr))) => {
        $crate::codec::read_only($r, ($range).contains(&$r.version()))
    };
    ($r:ident, $ty:ty, (padded($unit:literal))) => {
        $crate::codec::read_padded($r, $unit)
    };
    ($r:ident, $ty:ty, (len($x:ident))) => {
        $crate::codec::read_sized::<$ty>($r, $x)
    };
    ($r:ident, $ty:ty, (count($x:ident))) => {
        $crate::codec::read_count($r, $x)
    };
    ($r:ident, $ty:ty, (slots($x:ident, $n:literal))) => {
        $crate::codec::read_slots($r, $x, $n)
    };
}

/// Writes the fields, which are variables of their names.
#[doc(hidden)]
#[macro_export]
macro_rules! __write_body {
    ($w:ident, $start:ident, {
        $(_ $lead:tt,)*
        $($field:ident: $ty:ty $(as $how:ident $(($($arg:tt)*))?)?, $(_ $fill:tt,)*)*
    }) => {
        #[allow(unused_mut, unused_assignments, reason = "not every structure tells its length")]
        let mut whole: ::std::option::Option<$crate::codec::Hole> = None;
        $($crate::__write_fill!($w, $start, whole, $lead);)*
        $(
            $crate::__write_field!($w, $field, ($($how $(($($arg)*))?)?));
            $($crate::__write_fill!($w, $start, whole, $fill);)*
        )*
        if let Some(whole) = whole {
            $w.fill(whole, $w.offset() - $start);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __write_fill {
    ($w:ident, $start:ident, $whole:ident, [align $unit:literal]) => {
        $w.align($start, $unit);
    };
    ($w:ident, $start:ident, $whole:ident, [$n:literal]) => {
        $w.zeros($n);
    };
    ($w:ident, $start:ident, $whole:ident, [$n:literal in $range:expr]) => {
        if ($range).contains(&$w.version()) {
            $w.zeros($n);
        }
    };
    ($w:ident, $start:ident, $whole:ident, ($x:ident: $int:ty)) => {
        let $x = $w.hole(<$int as $crate::codec::Codec>::MIN, stringify!($x));
    };
    ($w:ident, $start:ident, $whole:ident, {$x:ident: $int:ty}) => {
        $whole = Some($w.hole(<$int as $crate::codec::Codec>::MIN, stringify!($x)));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __write_field {
    ($w:ident, $field:ident, ()) => {
        $crate::codec::Codec::write($field, $w);
    };
    ($w:ident, $field:ident, (flat)) => {
        $crate::codec::Codec::write($field, $w);
    };
    ($w:ident, $field:ident, (after($before:literal))) => {
        $crate::codec::Codec::write($field, $w);
    };
    ($w:ident, $field:ident, (with($module:ident))) => {
        $module::write($field, $w);
    };
    ($w:ident, $field:ident, (only($range:expr))) => {
        $crate::codec::write_only($field, $w, ($range).contains(&$w.version()), stringify!($field));
    };
    ($w:ident, $field:ident, (padded($unit:literal))) => {
        $crate::codec::write_padded($field, $w, $unit);
    };
    ($w:ident, $field:ident, (len($x:ident))) => {
        let at = $w.offset();
        $crate::codec::Codec::write($field, $w);
        $w.fill($x, $w.offset() - at);
    };
    ($w:ident, $field:ident, (count($x:ident))) => {
        $w.fill($x, $field.len());
        $crate::codec::Codec::write($field, $w);
    };
    ($w:ident, $field:ident, (slots($x:ident, $n:literal))) => {
        $w.fill($x, $field.len());
        $crate::codec::write_slots($field, $w, $n, stringify!($field));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __to_field {
    ($object:ident, $value:expr, $field:ident, (flat)) => {
        $crate::codec::JsonObject::to_fields($value, $object)
    };
    ($object:ident, $value:expr, $field:ident, $how:tt) => {
        $crate::codec::Json::put($value, stringify!($field), $object)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __from_field {
    ($object:ident, $field:ident, (flat)) => {
        $crate::codec::JsonObject::from_fields($object)?
    };
    ($object:ident, $field:ident, $how:tt) => {
        $object.field(stringify!($field))?
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __arbitrary_field {
    ($e:ident, (slots($x:ident, $n:literal))) => {{
        let mut list = $crate::codec::Arbitrary::arbitrary($e);
        Vec::truncate(&mut list, $n);
        list
    }};
    ($e:ident, (after($before:literal))) => {
        $crate::codec::arbitrary_octets($e, $before)
    };
    ($e:ident, (with($module:ident))) => {
        $module::arbitrary($e)
    };
    ($e:ident, (only($range:expr))) => {
        ($range).contains(&$e.version()).then(|| $crate::codec::Arbitrary::arbitrary($e))
    };
    ($e:ident, $how:tt) => {
        $crate::codec::Arbitrary::arbitrary($e)
    };
}
