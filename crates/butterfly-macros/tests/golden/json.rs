#[handler(trace = false)]
async fn whole(Json(list): Json<Vec<u32>>, factor: u32) -> Vec<u32> {
    list
}
