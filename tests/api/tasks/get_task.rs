//! Reading a task. Its entity tag is tested in `conditional.rs`.

use crate::support::User;

#[test]
fn an_id_that_is_none_is_named() {
    let user = User::new("id");
    for id in
        ["1", "019ab00000007000800000000000000a", "019ab000-0000-7000-8000-00000000000g", "%7Bx%7D", "a%2Fb", "..%2f"]
    {
        assert_eq!(user.get(&format!("/tasks/{id}")).mistakes(), ["id"], "{id}");
    }
}
