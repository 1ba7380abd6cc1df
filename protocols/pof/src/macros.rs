/// A structure whose layout is written by hand, since it differs between profiles in more than what is there: the
/// struct, its view for people and its made-up values.
macro_rules! fields {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $ty,)*
        }

        impl ferroflow_wire::codec::JsonObject for $name {
            fn to_fields(&self, object: &mut ferroflow_wire::codec::Object) {
                $(ferroflow_wire::codec::Json::put(&self.$field, stringify!($field), object);)*
            }

            fn from_fields(
                object: &mut ferroflow_wire::codec::Object,
            ) -> Result<Self, ferroflow_wire::codec::JsonError> {
                Ok(Self { $($field: object.field(stringify!($field))?,)* })
            }
        }

        ferroflow_wire::__object_json!($name);
    };
}

/// Made-up values of a [`fields!`] structure whose fields have no say in each other.
macro_rules! arbitrary_fields {
    ($name:ident { $($field:ident),* }) => {
        ferroflow_wire::__if_arbitrary! {
            impl ferroflow_wire::codec::Arbitrary for $name {
                fn arbitrary(e: &mut ferroflow_wire::codec::Entropy<'_>) -> Self {
                    Self { $($field: ferroflow_wire::codec::Arbitrary::arbitrary(e),)* }
                }
            }
        }
    };
}
