//! Values by index, an index being used again after its value is gone.

/// No index.
pub(super) const NIL: u32 = u32::MAX;

/// Values by index. What it allocates it keeps, so that in the long run nothing is allocated.
#[derive(Debug)]
pub(super) struct Slab<T> {
    /// Each with the number of values that had its place before.
    values: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.values[index as usize].1 = Some(value);
            return index;
        }
        self.values.push((0, Some(value)));
        (self.values.len() - 1) as u32
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let (generation, value) = self.values.get_mut(index as usize)?;
        let value = value.take()?;
        *generation = generation.wrapping_add(1);
        self.free.push(index);
        Some(value)
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.values.get(index as usize)?.1.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.values.get_mut(index as usize)?.1.as_mut()
    }

    /// A number that names the value at `index` and no other that has its place before or after.
    pub(super) fn token(&self, index: u32) -> u64 {
        let generation = self.values.get(index as usize).map_or(0, |value| value.0);
        u64::from(generation) << 32 | u64::from(index)
    }

    /// The index that [`Slab::token`] was of, if its value is still there.
    pub(super) fn index_of(&self, token: u64) -> Option<u32> {
        let index = token as u32;
        (self.get(index).is_some() && self.token(index) == token).then_some(index)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() - self.free.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.values.iter().enumerate().filter_map(|(index, (_, value))| Some((index as u32, value.as_ref()?)))
    }
}
